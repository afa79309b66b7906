-- Made by `python -m workloads.tsql`.
BEGIN TRANSACTION;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

GO

-- Running upgrade  -> 0001

CREATE TABLE budget (
    id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    name NVARCHAR(60) NOT NULL, 
    categories NVARCHAR(1000) NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    limit_minor BIGINT NOT NULL, 
    rollover NVARCHAR(10) NOT NULL, 
    thresholds NVARCHAR(40) NOT NULL, 
    start DATETIME NOT NULL, 
    created DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_budget PRIMARY KEY (id)
);

GO

CREATE INDEX ix_budget_user_id ON budget (user_id, created);

GO

CREATE TABLE month_limit (
    budget_id UNIQUEIDENTIFIER NOT NULL, 
    month DATETIME NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    limit_minor BIGINT NOT NULL, 
    CONSTRAINT pk_month_limit PRIMARY KEY (budget_id, month), 
    CONSTRAINT fk_month_limit_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id)
);

GO

CREATE TABLE crossing (
    budget_id UNIQUEIDENTIFIER NOT NULL, 
    month DATETIME NOT NULL, 
    [percent] INTEGER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    at DATETIMEOFFSET NOT NULL, 
    CONSTRAINT pk_crossing PRIMARY KEY (budget_id, month, [percent]), 
    CONSTRAINT fk_crossing_budget_id FOREIGN KEY(budget_id) REFERENCES budget (id)
);

GO

CREATE TABLE fact (
    transaction_id UNIQUEIDENTIFIER NOT NULL, 
    user_id UNIQUEIDENTIFIER NOT NULL, 
    version BIGINT NOT NULL, 
    account_id UNIQUEIDENTIFIER NOT NULL, 
    date DATETIME NOT NULL, 
    minor BIGINT NOT NULL, 
    currency NVARCHAR(3) NOT NULL, 
    status NVARCHAR(10) NOT NULL, 
    category NVARCHAR(60) NOT NULL, 
    merchant NVARCHAR(80) NULL, 
    party NVARCHAR(32) NOT NULL, 
    transfer BIT NOT NULL, 
    removed BIT NOT NULL, 
    CONSTRAINT pk_fact PRIMARY KEY (transaction_id)
);

GO

CREATE INDEX ix_fact_user_id_date ON fact (user_id, date);

GO

CREATE INDEX ix_fact_user_id_party ON fact (user_id, party);

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

COMMIT;

GO

