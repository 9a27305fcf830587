"""An incident as a folder that can be handed on: timeline, evidence, criteria, referral, manifest.

====================  ==========================================================================
``records``           what an export is made of
``evidence``          the frames that decisions point at, and the files that they become
``telling``           each event as who did what, and why
``timeline``          all of them in order of time
``findings``          what the events together say of the stream, of its danger and of people's word
``criteria``          the four criteria of the Content Incident Protocol
``referral``          what the police would need to know
``chain``             the manifest's hash chain
``listing``           which incidents are open
--------------------  --------------------------------------------------------------------------
``log``               topics read to their end, or at one place
``reading``           which records are an incident's, and the frames that it points at
``pages``             timeline and referral as HTML
``export``            from records to the files of the folder
``folder``            writing the folder, and checking one
====================  ==========================================================================

Those above the line are pure. The same records give the same folder, byte for byte.
"""
