"""Charts as PNG and tables as spreadsheets."""

import io

import openpyxl
import pandas as pd
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure


def chart(frame: pd.DataFrame) -> bytes:
    """Temperature of every bed over time. No display is needed: the figure is drawn into memory."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.subplots()
    for bed, rows in frame.groupby("bed", sort=True):
        axes.plot(rows["time"], rows["celsius"], label=f"bed {bed}")
    axes.set_ylabel("°C")
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    if not frame.empty:
        axes.legend(loc="upper left", frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def spreadsheet(frame: pd.DataFrame) -> bytes:
    """All readings on one sheet, times in UTC."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("readings")
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        sheet.append([row.time.tz_localize(None).to_pydatetime(), *row[1:]])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
