"""The agents: a folder each, a pure core and a thin Faust shell."""
