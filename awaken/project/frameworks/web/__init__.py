"""Applications of FastAPI and Starlette, and all that is done to them.

Begin with ``wiring``, where everything is asked, then ``applications``, which tells them apart.
``registrations``, ``handlers``, ``installers`` and ``served_applications`` build on
that. ``endpoints`` goes the other way: from a function up to the routes that reach it.
"""
