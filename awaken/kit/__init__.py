"""The kit that rules are written with; ``docs/writing-rules.md`` shows how.

Read in this order: ``rule`` (what a rule is), ``sites`` (one place, its finding and the edits that
are made for it; ``Refused``), ``changes`` (a site decided by itself, or a group all or nothing),
``search`` (where sites, calls and uses of a name are), ``imports`` and ``names_here`` (how to name
what a library defines, and import it), ``reasons`` (that many rules have), ``caveats`` (who notices
a rewrite), ``call_rule`` (the shape of rules about calls of functions). For what goes from function
to function there are ``added_parameters``. ``rewriters`` writes code with LibCST for every rule;
``payloads`` are its inputs.
"""
