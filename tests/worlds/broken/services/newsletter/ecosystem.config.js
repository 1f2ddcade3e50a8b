module.exports = {
  apps: [{ name: 'newsletter', script: 'dist/index.js', autorestart: false }],
};
