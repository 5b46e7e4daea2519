//! A typed statement in, binary rows out.
