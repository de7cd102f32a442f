"""Facts about what a program does with libraries; the top floor below the facade.

``sqlalchemy`` (models, sessions, queries), ``loads`` (what a statement loads), ``web``
(applications and requests), ``schemas`` and ``templates`` (what they read of objects, with
``shapes``), ``testing`` (test doubles) and ``resources`` (engines, pools, clients). Begin with the
one that your rule is about. ``orm`` joins what rules ask about SQLAlchemy, ``program_reads`` all
reads.
"""
