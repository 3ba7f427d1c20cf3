"""The casework room: one verb a file. It never commits and never hears of HTTP."""
