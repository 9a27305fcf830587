"""Decision: risk becomes takedowns and escalations."""
