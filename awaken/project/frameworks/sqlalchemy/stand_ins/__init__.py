"""Objects with a ``query`` of their own that a program gives where a session is annotated.

``annotated_stand_ins`` follows values without taking an annotation's word for a session. It tells
which objects of which classes come out of that, and which call hands them in.
"""
