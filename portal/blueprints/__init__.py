"""HTTP, split by audience; each module holds one blueprint called ``blueprint``."""
