"""Training items: judged, stitched and injected ones."""
