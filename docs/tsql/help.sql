-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE ticket (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    subject VARBINARY(1000) NOT NULL, 
    status NVARCHAR(10) NOT NULL, 
    opened DATETIMEOFFSET NOT NULL, 
    changed DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_ticket PRIMARY KEY (id)
);

GO

CREATE INDEX ix_ticket_user_id_changed ON ticket (user_id, changed);

GO

CREATE TABLE ticket_message (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    ticket_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    author NVARCHAR(10) NOT NULL, 
    text VARBINARY(max) NOT NULL, 
    CONSTRAINT pk_ticket_message PRIMARY KEY (id), 
    CONSTRAINT fk_ticket_message_ticket_id FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

GO

CREATE INDEX ix_ticket_message_ticket_id ON ticket_message (ticket_id);

GO

CREATE TABLE user_key (
    user_id UNIQUEIDENTIFIER NOT NULL, 
    wrapped VARBINARY(1024) NOT NULL, 
    wrapping_key NVARCHAR(400) NOT NULL, 
    CONSTRAINT pk_user_key PRIMARY KEY (user_id)
);

GO

CREATE TABLE outbox_event (
    sequence BIGINT NOT NULL IDENTITY, 
    event_id UNIQUEIDENTIFIER NOT NULL, 
    [key] NVARCHAR(40) NOT NULL, 
    envelope NVARCHAR(max) NOT NULL, 
    refused NVARCHAR(400) NULL, 
    CONSTRAINT pk_outbox_event PRIMARY KEY (sequence)
);

GO

CREATE TABLE relay_turn (
    id INTEGER NOT NULL, 
    CONSTRAINT pk_relay_turn PRIMARY KEY (id)
);

GO

SET IDENTITY_INSERT relay_turn ON;

GO

INSERT INTO relay_turn (id) VALUES (1);

GO

SET IDENTITY_INSERT relay_turn OFF;

GO

CREATE TABLE handled_event (
    source NVARCHAR(60) NOT NULL, 
    event_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_handled_event PRIMARY KEY (source, event_id)
);

GO

CREATE INDEX ix_handled_event_at ON handled_event (at);

GO

INSERT INTO alembic_version (version_num) OUTPUT inserted.version_num VALUES ('0001');

GO

-- Running upgrade 0001 -> 0002

CREATE TABLE task (
    kind NVARCHAR(40) NOT NULL, 
    subject UNIQUEIDENTIFIER NOT NULL, 
    item UNIQUEIDENTIFIER NOT NULL, 
    due DATETIMEOFFSET NOT NULL, 
    attempts INTEGER NOT NULL, 
    CONSTRAINT pk_task PRIMARY KEY (kind, subject, item)
);

GO

CREATE INDEX ix_task_due ON task (due);

GO

INSERT INTO task (kind, subject, item, due, attempts) SELECT N'answer' AS anon_1, ticket.user_id, ticket.id, ticket.changed, 0 AS anon_2 
FROM ticket 
WHERE ticket.status = N'open';

GO

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

GO

COMMIT;

GO

