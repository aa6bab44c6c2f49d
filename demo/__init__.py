"""The embedded cluster that one command starts: real servers, a simulated homelab, one incident."""
