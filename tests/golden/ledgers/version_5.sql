-- A ledger as Ockham made it with schema version 5.
BEGIN TRANSACTION;
CREATE TABLE ockham_added (
	id INTEGER NOT NULL, 
	study VARCHAR(128) NOT NULL, 
	params TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE ockham_attempts (
	study VARCHAR(128) NOT NULL, 
	number INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	fence INTEGER NOT NULL, 
	started_ms BIGINT NOT NULL, 
	ended_ms BIGINT, 
	outcome VARCHAR(16), seal VARCHAR(16), 
	PRIMARY KEY (study, number, attempt)
);
INSERT INTO "ockham_attempts" VALUES('tiny',0,1,1,1795919939030,1795919939063,'COMPLETE',NULL);
INSERT INTO "ockham_attempts" VALUES('tiny',1,1,1,1795919939098,1795919939099,'FAILED',NULL);
CREATE TABLE ockham_files (study VARCHAR(128) NOT NULL, name VARCHAR(200) NOT NULL, number INTEGER NOT NULL, size BIGINT NOT NULL, sha256 VARCHAR(64) NOT NULL, PRIMARY KEY (study, name));
CREATE TABLE ockham_inputs (
	study VARCHAR(128) NOT NULL, 
	"key" VARCHAR(32) NOT NULL, 
	content TEXT NOT NULL, 
	PRIMARY KEY (study, "key")
);
CREATE TABLE ockham_leases (
	study VARCHAR(128) NOT NULL, 
	fence INTEGER NOT NULL, 
	held BOOLEAN NOT NULL, 
	heartbeat BIGINT NOT NULL, 
	holder TEXT NOT NULL, 
	since_ms BIGINT NOT NULL, 
	PRIMARY KEY (study)
);
INSERT INTO "ockham_leases" VALUES('tiny',1,0,0,'{"host": "lab", "user": "ada", "boot": "an-earlier-one", "pids": "pid:[1]", "pid": 4711, "started": "1"}',1795919938971);
CREATE TABLE ockham_meta (
	"key" VARCHAR(128) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "ockham_meta" VALUES('schema_version','5');
CREATE TABLE ockham_outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	study VARCHAR(128) NOT NULL, 
	number INTEGER NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	payload TEXT NOT NULL, 
	recorded_ms BIGINT NOT NULL
, seal VARCHAR(16));
INSERT INTO "ockham_outbox" VALUES(1,'tiny',0,'start','{"attempt": 1}',1795919939030,NULL);
INSERT INTO "ockham_outbox" VALUES(2,'tiny',0,'step','{"stage": "dense", "step": 1, "metrics": {"train/accuracy": 0.2}, "notes": {}}',1795919939039,NULL);
INSERT INTO "ockham_outbox" VALUES(3,'tiny',0,'step','{"stage": "dense", "step": 2, "metrics": {"train/accuracy": 0.9}, "notes": {}}',1795919939061,NULL);
INSERT INTO "ockham_outbox" VALUES(4,'tiny',0,'end','{"state": "COMPLETE", "error": null, "metrics": {"train/accuracy": 0.9}, "notes": {}}',1795919939063,NULL);
INSERT INTO "ockham_outbox" VALUES(5,'tiny',1,'start','{"attempt": 1}',1795919939098,NULL);
INSERT INTO "ockham_outbox" VALUES(6,'tiny',1,'end','{"state": "FAILED", "error": "ValueError: no", "metrics": {}, "notes": {}}',1795919939099,NULL);
CREATE TABLE ockham_steps (
	study VARCHAR(128) NOT NULL, 
	number INTEGER NOT NULL, 
	stage VARCHAR(128) NOT NULL, 
	step INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	metrics TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	recorded_ms BIGINT NOT NULL, seal VARCHAR(16), 
	PRIMARY KEY (study, number, stage, step)
);
INSERT INTO "ockham_steps" VALUES('tiny',0,'dense',1,1,'{"train/accuracy": 0.2}','{}',1795919939039,NULL);
INSERT INTO "ockham_steps" VALUES('tiny',0,'dense',2,1,'{"train/accuracy": 0.9}','{}',1795919939061,NULL);
CREATE TABLE ockham_studies (
	study VARCHAR(128) NOT NULL, 
	uid VARCHAR(32) NOT NULL, 
	identity TEXT NOT NULL, 
	config TEXT NOT NULL, 
	stop VARCHAR(8) NOT NULL, 
	created_ms BIGINT NOT NULL, seal VARCHAR(16), 
	PRIMARY KEY (study)
);
INSERT INTO "ockham_studies" VALUES('tiny','6d2233a8','{"name": "tiny", "sampler": "design", "scheduler": "none", "objectives": [{"metric": "contrast/auc", "direction": "maximize"}, {"metric": "control/val/accuracy", "direction": "maximize"}], "seed": 0, "configurations": [], "space": {"base": {"data.name": "digits"}, "span": {"data.label_noise": {"values": [0, 0.5, 1]}, "model.width": {"values": [16, 32]}}}}','{"name": "tiny", "space": {"title": "", "claim": "", "source": "", "base": {"data.name": "digits"}, "span": {"data.label_noise": {"values": [0, 0.5, 1]}, "model.width": {"values": [16, 32]}}, "trials": 24}, "trials": 6, "added": 0, "sampler": "design", "scheduler": "none", "stopping": {"metric": {"metric": "val/accuracy", "direction": "maximize"}, "grace": null, "reduction": 4.0}, "objectives": [{"metric": "contrast/auc", "direction": "maximize"}, {"metric": "control/val/accuracy", "direction": "maximize"}], "constraints": [], "warm_start": null, "seed": 0, "configurations": [], "run": {"home": "/home/ada/studies", "data_dir": null, "ledger": null, "tracking_uri": null, "offline": false, "storage": null, "address": null, "max_concurrent": null, "cpus_per_trial": 1.0, "gpus_per_trial": 0.0, "time_budget": null, "prices": null, "keep_checkpoints": false, "progress": true}}','',1795919938935,NULL);
CREATE TABLE ockham_trials (
	study VARCHAR(128) NOT NULL, 
	number INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	proposed TEXT NOT NULL, 
	params TEXT NOT NULL, 
	fingerprint VARCHAR(16) NOT NULL, 
	seen TEXT, 
	uid VARCHAR(200) NOT NULL, 
	attempts INTEGER NOT NULL, 
	charged INTEGER NOT NULL, 
	metrics TEXT, 
	notes TEXT, 
	error TEXT, 
	traceback TEXT, 
	duration_s FLOAT, 
	created_ms BIGINT NOT NULL, 
	ended_ms BIGINT, 
	mlflow_run_id VARCHAR(64), 
	added BOOLEAN DEFAULT 0 NOT NULL, seal VARCHAR(16), 
	PRIMARY KEY (study, number)
);
INSERT INTO "ockham_trials" VALUES('tiny',0,'COMPLETE','design','{"data.label_noise": 0.5, "model.width": 16}','{"data.name": "digits", "data.train_size": null, "data.split": null, "data.label_noise": 0.5, "data.noise_kind": "uniform", "data.inputs": "true", "model.name": "mlp", "model.width": 16, "model.hidden_layers": 2, "model.init": "he", "model.init_scale": 1.0, "model.dropout": 0.0, "training.epochs": 400, "training.steps": null, "training.batch_size": 50, "training.optimizer": "sgd", "training.lr": 0.05, "training.momentum": 0.9, "training.nesterov": false, "training.weight_decay": 0.0, "training.l1": 0.0, "training.clip_norm": null, "training.label_smoothing": 0.0, "training.schedule": "constant", "training.step_at": [0.5, 0.75], "training.step_factor": 0.1, "training.warmup_epochs": 0.0, "training.augment": "none", "training.precision": "fp32", "training.stop_at_train_loss": 0.01, "training.stop_at_train_accuracy": null, "compression.method": "prune", "compression.criterion": "magnitude_l2", "compression.granularity": "unit", "compression.scope": "layer", "compression.direction": "lowest", "compression.target_ratio": 16.0, "compression.rate": null, "compression.depth": 6, "compression.recovery": "none", "compression.recovery_epochs": 0, "compression.rewind_to": 0.0, "compression.ticket": null, "compression.transfer": "noise", "compression.ratio": null, "compression.auc_log2_ratio": null, "replicates": 5, "control": true, "seed": 0}','e7a842533fbf129f',NULL,'tiny/6d2233a8/0',1,0,'{"train/accuracy": 0.9}','{}',NULL,NULL,0.033,1795919939008,1795919939063,NULL,0,NULL);
INSERT INTO "ockham_trials" VALUES('tiny',1,'FAILED','design','{"data.label_noise": 0.5, "model.width": 16}','{"data.name": "digits", "data.train_size": null, "data.split": null, "data.label_noise": 0.5, "data.noise_kind": "uniform", "data.inputs": "true", "model.name": "mlp", "model.width": 16, "model.hidden_layers": 2, "model.init": "he", "model.init_scale": 1.0, "model.dropout": 0.0, "training.epochs": 400, "training.steps": null, "training.batch_size": 50, "training.optimizer": "sgd", "training.lr": 0.05, "training.momentum": 0.9, "training.nesterov": false, "training.weight_decay": 0.0, "training.l1": 0.0, "training.clip_norm": null, "training.label_smoothing": 0.0, "training.schedule": "constant", "training.step_at": [0.5, 0.75], "training.step_factor": 0.1, "training.warmup_epochs": 0.0, "training.augment": "none", "training.precision": "fp32", "training.stop_at_train_loss": 0.01, "training.stop_at_train_accuracy": null, "compression.method": "prune", "compression.criterion": "magnitude_l2", "compression.granularity": "unit", "compression.scope": "layer", "compression.direction": "lowest", "compression.target_ratio": 16.0, "compression.rate": null, "compression.depth": 6, "compression.recovery": "none", "compression.recovery_epochs": 0, "compression.rewind_to": 0.0, "compression.ticket": null, "compression.transfer": "noise", "compression.ratio": null, "compression.auc_log2_ratio": null, "replicates": 5, "control": true, "seed": 0}','e7a842533fbf129f',NULL,'tiny/6d2233a8/1',1,0,'{}','{}','ValueError: no','…',0.001,1795919939008,1795919939099,NULL,0,NULL);
INSERT INTO "ockham_trials" VALUES('tiny',2,'QUEUED','design','{"data.label_noise": 0.5, "model.width": 16}','{"data.name": "digits", "data.train_size": null, "data.split": null, "data.label_noise": 0.5, "data.noise_kind": "uniform", "data.inputs": "true", "model.name": "mlp", "model.width": 16, "model.hidden_layers": 2, "model.init": "he", "model.init_scale": 1.0, "model.dropout": 0.0, "training.epochs": 400, "training.steps": null, "training.batch_size": 50, "training.optimizer": "sgd", "training.lr": 0.05, "training.momentum": 0.9, "training.nesterov": false, "training.weight_decay": 0.0, "training.l1": 0.0, "training.clip_norm": null, "training.label_smoothing": 0.0, "training.schedule": "constant", "training.step_at": [0.5, 0.75], "training.step_factor": 0.1, "training.warmup_epochs": 0.0, "training.augment": "none", "training.precision": "fp32", "training.stop_at_train_loss": 0.01, "training.stop_at_train_accuracy": null, "compression.method": "prune", "compression.criterion": "magnitude_l2", "compression.granularity": "unit", "compression.scope": "layer", "compression.direction": "lowest", "compression.target_ratio": 16.0, "compression.rate": null, "compression.depth": 6, "compression.recovery": "none", "compression.recovery_epochs": 0, "compression.rewind_to": 0.0, "compression.ticket": null, "compression.transfer": "noise", "compression.ratio": null, "compression.auc_log2_ratio": null, "replicates": 5, "control": true, "seed": 0}','e7a842533fbf129f',NULL,'tiny/6d2233a8/2',0,0,NULL,NULL,NULL,NULL,NULL,1795919939008,NULL,NULL,0,NULL);
INSERT INTO "ockham_trials" VALUES('tiny',3,'QUEUED','design','{"data.label_noise": 0.5, "model.width": 16}','{"data.name": "digits", "data.train_size": null, "data.split": null, "data.label_noise": 0.5, "data.noise_kind": "uniform", "data.inputs": "true", "model.name": "mlp", "model.width": 16, "model.hidden_layers": 2, "model.init": "he", "model.init_scale": 1.0, "model.dropout": 0.0, "training.epochs": 400, "training.steps": null, "training.batch_size": 50, "training.optimizer": "sgd", "training.lr": 0.05, "training.momentum": 0.9, "training.nesterov": false, "training.weight_decay": 0.0, "training.l1": 0.0, "training.clip_norm": null, "training.label_smoothing": 0.0, "training.schedule": "constant", "training.step_at": [0.5, 0.75], "training.step_factor": 0.1, "training.warmup_epochs": 0.0, "training.augment": "none", "training.precision": "fp32", "training.stop_at_train_loss": 0.01, "training.stop_at_train_accuracy": null, "compression.method": "prune", "compression.criterion": "magnitude_l2", "compression.granularity": "unit", "compression.scope": "layer", "compression.direction": "lowest", "compression.target_ratio": 16.0, "compression.rate": null, "compression.depth": 6, "compression.recovery": "none", "compression.recovery_epochs": 0, "compression.rewind_to": 0.0, "compression.ticket": null, "compression.transfer": "noise", "compression.ratio": null, "compression.auc_log2_ratio": null, "replicates": 5, "control": true, "seed": 0}','e7a842533fbf129f',NULL,'tiny/6d2233a8/3',0,0,NULL,NULL,NULL,NULL,NULL,1795919939008,NULL,NULL,0,NULL);
CREATE INDEX ockham_trials_by_state ON ockham_trials (study, state, number);
CREATE INDEX ockham_outbox_by_study ON ockham_outbox (study, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('ockham_outbox',6);
COMMIT;
