"""Facts about what a program does with libraries; the top floor below the facade.

``sqlalchemy`` (models, sessions, queries), ``web`` (applications and requests), ``testing`` (test
doubles) and ``resources`` (engines, pools, clients). Begin with the one that your rule is about.
"""
