"""How frames flow: sources, analysis, drawing, sinks. Knows no command line."""
