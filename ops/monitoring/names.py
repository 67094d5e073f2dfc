"""Every figure that is measured when somebody asks, with what it is. Those with `_total` only grow."""

from typing import Final

MEASURED: Final = {
    "cpu_usage_percent": "Share of time in which the processors were busy since the last look.",
    "memory_usage_bytes": "Memory of the machine, and of the process that answers.",
    "cache_hit_rate": "Share of reads that Redis could answer since its start.",
    "afn_health_status": "Of each part: 0 ok, 1 degraded, 2 down; a part that is not configured is left out.",
    "afn_health_since_timestamp_seconds": "Since when a part has had its status.",
    "afn_health_probe_seconds": "Time that the look at a part took.",
    "afn_health_ready": "Whether /health/ready answers 200.",
    "afn_database_read_seconds": "Time of the last read for the check of the database.",
    "afn_database_write_seconds": "Time of the last write for the check of the database.",
    "afn_replica_lag_seconds": "Seconds by which the local copy may be behind.",
    "afn_redis_answer_seconds": "Time of Redis's last answer to the check.",
    "afn_redis_memory_used_bytes": "Memory that Redis uses.",
    "afn_redis_memory_max_bytes": "Memory that Redis may use; 0 is unbounded.",
    "afn_redis_evicted_keys_total": "Keys that Redis has given up for want of memory.",
    "afn_redis_clients": "Connections to Redis.",
    "afn_queue_age_seconds": "How long the oldest job that is due has waited.",
    "afn_jobs_waiting": "Jobs that wait, due or not.",
    "afn_jobs_running": "Jobs that are being done.",
    "afn_jobs_total": "Jobs that are over, by kind and outcome.",
    "afn_disk_free_bytes": "Free room on the disk of a folder.",
    "afn_disk_size_bytes": "Size of the disk of a folder.",
    "afn_backups": "Backups of the current environment that there are.",
    "afn_backup_age_seconds": "Age of the newest backup.",
    "afn_backup_last_proved_timestamp_seconds": "When a backup was last restored for a try and found whole.",
    "afn_prompts_outdated": "Prompts that the index does not hold as they are now.",
    "afn_embedder_last_success_timestamp_seconds": "When the newest prompt was first embedded.",
    "afn_embedder_last_failure_timestamp_seconds": "When the embedder last failed.",
    "afn_recall": "Share of the relevant prompts that search found, as measured last, by mode.",
}
