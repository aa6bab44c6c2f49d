"""Dashboards drawn without Grafana: the generated JSON, the incident catalogue and a local Prometheus."""
