"""The pages: each module has the routes of one, or of what belongs together."""
