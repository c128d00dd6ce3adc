"""Dify's base classes over the client; the only place that imports ``dify_plugin``.

Its modules are imported one by one: the SDK counts every model class it finds in a module.
"""
