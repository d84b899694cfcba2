export { renderHelp } from './render.ts';
export { suggestCommands, suggestTopics } from './suggest.ts';
export { findTopic } from './topics.ts';
export { chooseWidth } from './wrap.ts';
