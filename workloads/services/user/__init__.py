"""Who a person is to us: first seen, locale, time zone; nothing that an identity provider keeps already."""
