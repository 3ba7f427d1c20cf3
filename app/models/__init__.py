"""The records room: what is kept. Columns and constraints, hardly any verbs."""

from app.models.attachment import Attachment, AttachmentUse
from app.models.case import Case, CaseLink, CaseRecord, Filing, Once, PartTaken
from app.models.deadline import DeadlineRow
from app.models.document import Document, DocumentNumber
from app.models.intake import Batch, BatchRow, RecordVersion
from app.models.journal import JournalLine
from app.models.mandate import MandatePaper, MandateRequest
from app.models.office import (
    Attestation,
    CalendarOverride,
    Jurisdiction,
    Membership,
    Office,
    OfficeCertificate,
    User,
)
from app.models.outbox import Notice, NoticeSequence
from app.models.record import CreditRecord, Measure, PublicationFact, RecordShare
from app.models.register_paper import RegisterPaper
from app.models.repair import CommitmentSerial, Repair, RepairLetter, RepairTask
from app.models.sharing import (
    ApiKey,
    ApiKeyDay,
    Attempt,
    Delivery,
    Endpoint,
    Issue,
    Receipt,
    ReceiverKey,
    Statement,
    Subscription,
)
from app.models.subject import Ban, Identifier, Mandate, Subject, SubjectName
from app.models.watch import Heartbeat

__all__ = [
    "ApiKey",
    "ApiKeyDay",
    "Attachment",
    "AttachmentUse",
    "Attempt",
    "Attestation",
    "Ban",
    "Batch",
    "BatchRow",
    "CalendarOverride",
    "Case",
    "CaseLink",
    "CaseRecord",
    "CommitmentSerial",
    "CreditRecord",
    "DeadlineRow",
    "Delivery",
    "Document",
    "DocumentNumber",
    "Endpoint",
    "Filing",
    "Heartbeat",
    "Identifier",
    "Issue",
    "JournalLine",
    "Jurisdiction",
    "Mandate",
    "MandatePaper",
    "MandateRequest",
    "Measure",
    "Membership",
    "Notice",
    "NoticeSequence",
    "Office",
    "OfficeCertificate",
    "Once",
    "PartTaken",
    "PublicationFact",
    "Receipt",
    "ReceiverKey",
    "RecordShare",
    "RecordVersion",
    "RegisterPaper",
    "Repair",
    "RepairLetter",
    "RepairTask",
    "Statement",
    "Subject",
    "SubjectName",
    "Subscription",
    "User",
]
