"""The post room: what others must be told, in frozen words and in order."""
