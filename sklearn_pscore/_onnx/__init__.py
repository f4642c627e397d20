"""Rankers as ONNX graphs: written, and scored from without torch."""
