"""Objects with a ``query`` of their own that a program gives where a session is annotated.

``doubting`` follows values without taking an annotation's word for a session;
``annotated_stand_ins`` tells which objects of which classes come out of that, and which call hands
them in.
"""
