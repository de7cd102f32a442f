from redis.client import Redis as Redis
