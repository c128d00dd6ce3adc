"""llama.cpp's own server, with a model of a few kilobytes that speaks nonsense."""
