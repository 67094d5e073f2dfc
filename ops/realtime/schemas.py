from ninja import Field, Schema


class TicketOut(Schema):
    ticket: str = Field(description="For `?ticket=` of `/ws` or `/events`, once.")
    expires_in: int = Field(description="Seconds for which it can be used.", examples=[30])
