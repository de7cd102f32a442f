"""Properties that wait: ``becoming`` makes them methods, ``property_reads`` finds their reads."""
