"""What the plugin costs beside the SDK alone and beside the published plugin's way: see docs."""
