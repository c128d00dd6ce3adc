"""Starts the plugin. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=120))

if __name__ == "__main__":
    plugin.run()
