module.exports = {
  apps: [
    {
      name: 'newsletter-worker',
      script: 'dist/worker.js',
      instances: 1,
      autorestart: true,
      exp_backoff_restart_delay: 200,
      max_memory_restart: '350M',
      kill_timeout: 90_000,
      env: { NODE_ENV: 'production', NODE_OPTIONS: '--max-old-space-size=320' },
    },
  ],
};
