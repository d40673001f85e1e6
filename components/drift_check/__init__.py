"""DriftCheck: whether today's items still suit the SID space."""
