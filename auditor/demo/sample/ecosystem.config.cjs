// staging runs without containers
module.exports = {
  apps: [
    { name: 'server', script: 'dist/server.js', instances: 2, exec_mode: 'cluster' },
    { name: 'worker', script: 'dist/worker.js', instances: 1, max_memory_restart: '512M' },
  ],
};
