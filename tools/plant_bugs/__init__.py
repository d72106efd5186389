"""Bugs, planted one at a time into copies of the repository, to see which test notices.

A suite that passes says something only if it fails where it ought to. `mutations` lists mistakes that people make in
a library such as this one, each as a change of one line; `planting` makes the change in a copy, runs the tests there,
and tells which one saw it.
"""
