"""How a network is executed: torch or OpenVINO, device, precision, export."""
