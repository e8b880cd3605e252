"""What each cloud does on the wire: signatures, parameters, envelopes and errors."""
