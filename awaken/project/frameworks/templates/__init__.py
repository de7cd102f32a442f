"""Templates of Jinja: which programs render which, with what, and which attributes they read.

``template_files`` finds templates by name and parses them, ``record`` and ``template_reads`` tell
which attributes a template reads of the names that it is given. ``rendering`` finds the calls that
render. ``template_sights`` puts it together, with what names mean without a call.
"""
