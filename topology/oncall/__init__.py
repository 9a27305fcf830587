"""What the on-call view reaches Kafka and the decoders through; see ``agents.oncall.ports``.

=============  =================================================================================
``readings``   readings on threads of their own: so many at once, for so long
``frames``     one frame by its coordinates
``history``    a stream's past: detections, risk, decisions
``decoding``   a frame's picture, decoded in a process of its own
``rules``      what the policy's rules measure now
``exporting``  an incident as a zip archive
``sources``    all of these together
``orders``     people's orders, into Kafka while they wait
``policies``   the worker's policies, in words
=============  =================================================================================
"""
