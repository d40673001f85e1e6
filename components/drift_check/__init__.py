"""DriftCheck: a verdict on whether today's items still suit the SID space."""
