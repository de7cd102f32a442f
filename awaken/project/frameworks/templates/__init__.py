"""Templates of Jinja: which programs render which, with what, and which attributes they read.

``parsed_templates`` makes a tree of a text, ``template_values`` and ``template_reads`` tell which
attributes a template reads of the names that it is given, ``rendering`` finds the calls that render
and ``template_globals`` what names mean without them, ``template_files`` finds templates by name.
``template_sights`` puts it together.
"""
