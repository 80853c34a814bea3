//! Media files to and from RTP samples.
