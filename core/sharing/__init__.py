"""Models as files that others can use: packages of bioimage.io, written and read."""
