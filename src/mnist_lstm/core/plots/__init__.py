"""The figures: plotly where one hovers, matplotlib where one prints, each imported by the first figure it draws."""
