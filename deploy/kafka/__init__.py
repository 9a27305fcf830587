"""A real Apache Kafka on this machine: brokers to test against, and to break."""
