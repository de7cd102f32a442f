"""Requests of the OpenAPI document of an application, sent before and after the changes.

Begin with ``sending``, which makes them a suite next to the tests, and finds what answers. The
files of ``child/`` run in the environment of the tests, on Python 3.8 and later.
"""
