"""Properties that wait: ``becoming`` makes methods of them, ``reading`` finds what reads them."""
