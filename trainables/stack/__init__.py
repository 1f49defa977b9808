"""K networks trained as one: layers, models and cuts that carry a leading axis K."""
