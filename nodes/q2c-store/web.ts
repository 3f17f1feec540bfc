export { registerWeb as default } from '../_shared/web';
