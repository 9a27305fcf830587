"""The graph and its wiring: settings, topics, app factory, worker, broker, command line."""
