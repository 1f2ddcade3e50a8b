export * from './inner';
export { default as mailQueue } from './mail';
